"""Which job runs when: the jobs' own defaults, moved or stopped by a setting; and the tick from slots to runs."""
