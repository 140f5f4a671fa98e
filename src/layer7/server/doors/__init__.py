"""The doors: what can be asked and told over HTTP, a module for each subject."""
