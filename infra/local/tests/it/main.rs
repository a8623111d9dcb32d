//! Tests of the gateway from outside: real sockets, with functions that echo.

mod client;
mod command;
mod cors;
mod event;
mod fakes;
mod fixture;
mod limits;
mod pages;
mod reply;
mod routes;
mod start;
mod stop;
mod streams;
