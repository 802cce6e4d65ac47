"""The command line: stdout is data, stderr is talk. One module per group of commands, no logic of its own."""
