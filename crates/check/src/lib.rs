//! Tools with which every check acts: its declaration, the ground that test pods stand on, files of the user.

pub mod consent;
pub mod cx;
pub mod faults;
pub mod fence;
pub mod land;
pub mod place;
pub mod pod;
pub mod profile;
pub mod render;
pub mod source;
pub mod subject;
pub mod turn;
