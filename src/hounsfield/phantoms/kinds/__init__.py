"""One file a kind of phantom: its parameters, the trouble it can show, and the writing of its objects."""
