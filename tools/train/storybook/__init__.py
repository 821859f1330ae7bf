"""The renderer of the storybook world (README.md here): draws plans, renders their pictures with ground truth, and synthesises their sound."""
