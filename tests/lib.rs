//! Black-box tests of the whole backend: HTTP in, HTTP out, through the local gateway with real sockets, real SDK
//! clients and real engines. They are one binary, `tests/it`, and run in parallel, each with its own data.
