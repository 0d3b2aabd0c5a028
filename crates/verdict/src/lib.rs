//! Claims, outcomes, and how outcomes become a verdict. Pure.
