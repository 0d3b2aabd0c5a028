//! Named conditions with a limit and the last thing seen; the only place that sleeps.
