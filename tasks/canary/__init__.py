"""The canary: a run a minute in each queue, which shows that the queue's worker is alive."""
