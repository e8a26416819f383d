mod address;
mod cram;
mod login;
mod message;
mod smtp;
mod wire;
