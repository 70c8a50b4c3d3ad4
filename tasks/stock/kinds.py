"""The levels of a shortage and the kinds of demand: names that pages use too, which load no numpy."""

FINE, REORDER, SHORT, NOTHING = 0, 1, 2, 3
CLASSES = ("none", "smooth", "erratic", "intermittent", "lumpy", "dying")
NONE, SMOOTH, ERRATIC, INTERMITTENT, LUMPY, DYING = range(6)
