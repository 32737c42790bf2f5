"""The `lina-calphad` command: options, sentences, nothing else."""
