"""An order as staff see it: page, figures, words. The shop's own pages of it are the orders app's."""
