"""A whole sequence at once: the forward loop and its hand-derived BPTT loop, arrays in and arrays out."""
