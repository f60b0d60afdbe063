//! A way to a TCP server that a test can close, so that one program loses a server that others keep.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Takes connections on a port of its own and carries them to a server, while it is open.
#[derive(Debug)]
pub struct Gate {
    /// Where it takes connections.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// Both sides of the connections that were carried so far.
    carried: Vec<TcpStream>,
}

impl Gate {
    /// An open gate to a server.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound socket");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for here in listener.incoming().filter_map(Result::ok) {
                let mut state = lock(&shared);
                if state.is_closed {
                    continue;
                }
                let Ok(there) = TcpStream::connect(server) else { continue };
                state.carried.extend([carry(&here, &there), carry(&there, &here)]);
            }
        });
        Self { address, state }
    }

    /// Ends all connections, and new ones as they come.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        for stream in state.carried.drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Carries new connections again.
    pub fn open(&self) {
        lock(&self.state).is_closed = false;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries octets one way until either side ends; gives the side that they come from.
fn carry(from: &TcpStream, to: &TcpStream) -> TcpStream {
    let mut source = from.try_clone().expect("a socket");
    let mut sink = to.try_clone().expect("a socket");
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = source.read(&mut buffer) {
            if sink.write_all(buffer.get(..length).unwrap_or_default()).is_err() {
                break;
            }
        }
        _ = sink.shutdown(Shutdown::Both);
        _ = source.shutdown(Shutdown::Both);
    });
    from.try_clone().expect("a socket")
}
