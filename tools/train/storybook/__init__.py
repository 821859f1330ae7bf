"""The full storybook world for eye and ear (README.md beside this file): plans are drawn, rendered with their truth, and heard."""
