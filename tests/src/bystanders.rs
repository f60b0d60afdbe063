//! Those who must not notice a flood: calls that go on, and people who call for help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::sip::{Phone, Request, unique};

/// What came of their requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Served {
    /// Requests that got their 200.
    pub served: usize,
    /// Others.
    pub failed: usize,
}

/// Threads that each go on with what they do until they are told to end.
#[derive(Debug)]
pub struct Bystanders {
    ends: Arc<AtomicBool>,
    counts: Arc<[AtomicUsize; 2]>,
    threads: Vec<JoinHandle<()>>,
}

impl Default for Bystanders {
    fn default() -> Self {
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        Self { ends: Arc::default(), counts, threads: Vec::new() }
    }
}

impl Bystanders {
    /// Sets a call up, and sends INFO in it every so often, and a BYE at the end.
    pub fn call(&mut self, phone: Phone, to: &str, pause: Duration) {
        let contact = format!("<{}>", phone.contact());
        let invite = Request::new("INVITE", to, &phone.aor(), to).with("Contact", &contact);
        let answered = phone.transact(&invite).expect("an answer");
        assert_eq!(answered.status(), 200, "a call before the flood");
        let mut bye = invite.bye(&answered);
        let ack = Request { method: "ACK".to_owned(), cseq: 1, ..bye.clone() };
        phone.send(&ack.bytes(&phone)).expect("sent");
        self.run(pause, move |is_over| {
            bye.cseq += 1;
            bye.branch = format!("z9hG4bK{}", unique("i"));
            let method = if is_over { "BYE" } else { "INFO" };
            let request = Request { method: method.to_owned(), ..bye.clone() };
            phone.transact(&request).is_ok_and(|answer| answer.status() == 200)
        });
    }

    /// Calls an emergency number every so often, and hangs up when it is answered.
    pub fn help(&mut self, phone: Phone, to: &str, pause: Duration) {
        let (contact, to) = (format!("<{}>", phone.contact()), to.to_owned());
        self.run(pause, move |_| {
            let invite = Request::new("INVITE", &to, &phone.aor(), &to).with("Contact", &contact);
            let Ok(answered) = phone.transact(&invite) else { return false };
            if answered.status() != 200 {
                return false;
            }
            let bye = invite.bye(&answered);
            let ack = Request {
                method: "ACK".to_owned(),
                cseq: 1,
                branch: format!("z9hG4bK{}", unique("a")),
                ..bye.clone()
            };
            let _ = phone.send(&ack.bytes(&phone));
            phone.transact(&bye).is_ok_and(|answer| answer.status() == 200)
        });
    }

    fn run(&mut self, pause: Duration, mut act: impl FnMut(bool) -> bool + Send + 'static) {
        let (ends, counts) = (Arc::clone(&self.ends), Arc::clone(&self.counts));
        self.threads.push(thread::spawn(move || {
            let mut is_over = false;
            while !is_over {
                thread::sleep(pause);
                is_over = ends.load(Ordering::Relaxed);
                counts[usize::from(!act(is_over))].fetch_add(1, Ordering::Relaxed);
            }
        }));
    }

    /// Ends, and tells what came of all requests.
    #[must_use]
    pub fn end(self) -> Served {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        let [served, failed] = &*self.counts;
        Served { served: served.load(Ordering::Relaxed), failed: failed.load(Ordering::Relaxed) }
    }
}
