"""HOW a notice becomes a message: a pipeline of small stages, templates, channels."""
