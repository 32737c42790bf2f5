"""One phase or alloy, exactly: energy, miscibility gap, coherency, bands, export."""
