"""The bundle: export, unpack, check; plots of the training logs."""
