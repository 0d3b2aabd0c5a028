//! `accelerator_metrics` (KAR-0059): each accelerator's utilisation and memory, told by a machine to machines.

mod adapters;
