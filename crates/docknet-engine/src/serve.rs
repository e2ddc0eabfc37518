//! The engine on a socket.
