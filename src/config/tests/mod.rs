//! What belfry.yml means, what is said of wrong ones, and that the repository's own examples hold.

mod belfry;
mod house;
mod load;
mod router;
