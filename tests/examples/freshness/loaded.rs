//! How soon DNS shows what SOAP has stored, with very many numbers there and many questions coming.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType::SOA;
use ngn_tests::database::Backend;
use ngn_tests::dns::{answers, dig};
use ngn_tests::fixture::{enum_number, enum_range, reseller};
use ngn_tests::numbers::{digits, fill, name};
use ngn_tests::platform::Platform;
use ngn_tests::{record, usage};

/// The range that has the numbers.
const PREFIX: &str = "9990";
/// Questions a second.
pub(crate) const RATE: u64 = 20_000;
/// Changes that others make meanwhile come this long after each other.
const PAUSE: Duration = Duration::from_millis(40);

/// Loads so many numbers, has dnsperf ask, and measures changes: alone, then while a reseller adds numbers to the same
/// zone and a secondary follows its serials by IXFR.
pub(crate) fn run(numbers: u64, rate: u64, changes: usize, apart: bool) {
    let backend = Backend::MariaDb;
    let mut p = if apart {
        Platform::start_apart(backend)
    } else {
        Platform::start_with(backend, &[("enumd", "[transfer]\nallow = [\"127.0.0.1\"]\n")])
    };
    let owner = reseller(&p, "adder");
    owner.client.ok("Enum.addRange", record! { range: enum_range(PREFIX) });
    p.settle();
    p.stop();
    let started = Instant::now();
    fill(&p.database, PREFIX, numbers);
    _ = p.database.sql(
        "UPDATE customer_properties SET value = '100000000' WHERE name = 'enum_number_credit'",
    );
    println!("{numbers} numbers written in {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    p.launch();
    println!("ready after {:.1} s", started.elapsed().as_secs_f64());

    let free = AtomicU64::new(numbers + 1);
    let next = || digits(PREFIX, free.fetch_add(1, Ordering::Relaxed));
    let shape = if apart { "three processes" } else { "one process" };
    super::report(&format!("{shape}, no questions"), &mut measure(&p, changes, &next));
    let questions = p.directory().join("questions");
    let asked =
        (0..200_000).map(|n| format!("{} NAPTR\n", name(&digits(PREFIX, 1 + n * 7 % numbers))));
    fs::write(&questions, asked.collect::<String>()).expect("questions");
    let address = p.dns_address();
    let mut command = Command::new("dnsperf");
    command.args(["-s", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command.args(["-l", "100000", "-T", "1", "-c", "4", "-q", "400", "-e"]);
    command.args(["-Q", &rate.to_string(), "-O", "suppress=timeout"]);
    command.arg("-d").arg(&questions);
    let load = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dnsperf");
    thread::sleep(Duration::from_secs(1));
    let before = (Instant::now(), usage::cpu(load.id()));
    super::report(&format!("{shape}, questions"), &mut measure(&p, changes, &next));
    let over = AtomicBool::new(false);
    let (added, followed) = thread::scope(|scope| {
        let adder = scope.spawn(|| {
            let mut added = 0;
            while !over.load(Ordering::Relaxed) {
                let number = next();
                owner.client.ok(
                    "Enum.addNumber",
                    record! { number: enum_number(&number, "sip:b@example.com") },
                );
                added += 1;
                thread::sleep(PAUSE);
            }
            added
        });
        let secondary = scope.spawn(|| follow(&p, &over));
        super::report(&format!("{shape}, questions, others"), &mut measure(&p, changes, &next));
        over.store(true, Ordering::Relaxed);
        (adder.join().expect("changes"), secondary.join().expect("transfers"))
    });
    println!("meanwhile {added} numbers were added, and {followed} differences given by IXFR");
    let (seconds, cpu) = (before.0.elapsed().as_secs_f64(), usage::cpu(load.id()) - before.1);
    println!("dnsperf took {:.2} of a processor", cpu / seconds);
    _ = Command::new("kill").args(["-INT", &load.id().to_string()]).status();
    let output = load.wait_with_output().expect("what dnsperf says");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = |line: &&str| {
        ["Queries lost", "Queries per second", "Average Latency"].iter().any(|it| line.contains(it))
    };
    said.lines().filter(told).for_each(|line| println!("{}", line.trim()));
}

fn measure(p: &Platform, changes: usize, next: &dyn Fn() -> String) -> Vec<Duration> {
    (0..changes).map(|_| super::dns(p, &next())).collect()
}

/// Asks for what changed, as a secondary does; gives how many differences came.
fn follow(p: &Platform, over: &AtomicBool) -> usize {
    let zone = name(PREFIX);
    let serial = || -> u32 {
        answers(p.dns_address(), &zone, SOA)[0].split(' ').nth(5).unwrap().parse().unwrap()
    };
    let (mut known, mut differences) = (serial(), 0);
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(500));
        let text =
            dig(p.dns_address(), &["+tcp", "+noall", "+answer", &zone, &format!("IXFR={known}")]);
        let text = text.unwrap_or_default();
        // Besides the SOA at both ends two for each difference; a whole zone has two.
        let soas = text.lines().filter(|line| line.contains("\tSOA\t")).count();
        differences += soas.saturating_sub(2) / 2;
        known = serial();
    }
    differences
}
