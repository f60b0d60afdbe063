//! C++ by gSOAP: rpc/encoded, stubs made by wsdl2h and soapcpp2 from the WSDL as it is served.

use std::fs;
use std::path::Path;
use std::process::Command;

use ngn_tests::binaries::root;
use ngn_tests::database::Backend;
use ngn_tests::platform::Platform;
use ngn_tests::program::run;

use crate::lifecycle::works;

/// Makes the program of the WSDL that a platform serves, in a directory of its own.
fn build(directory: &Path) {
    let p = Platform::start(Backend::Sqlite);
    let here = root().join("tests/clients");
    let step = |program: &str, arguments: &[&str]| {
        run(Command::new(program).args(arguments).current_dir(directory)).unwrap()
    };
    // The prefixes of gSOAP's own map, and ours.
    let maps = ["/usr/share/gsoap/WS/typemap.dat".into(), here.join("gsoap.dat")];
    let map = maps.iter().map(|map| fs::read_to_string(map).unwrap()).collect::<String>();
    fs::write(directory.join("typemap.dat"), map).unwrap();
    step("wsdl2h", &["-O1", "-o", "ngn.h", &format!("http://{}/wsdl", p.soap_address())]);
    step("soapcpp2", &["-C", "-L", "-x", "-w", "-I/usr/share/gsoap/import", "ngn.h"]);
    // The three sources at once: the generated ones are long.
    let program = here.join("gsoap.cpp");
    std::thread::scope(|scope| {
        let sources = [program.to_str().unwrap(), "soapC.cpp", "soapClient.cpp"];
        for (index, source) in sources.into_iter().enumerate() {
            let object = format!("{index}.o");
            scope.spawn(move || {
                step("c++", &["-std=c++17", "-O0", "-w", "-I.", "-c", source, "-o", &object]);
            });
        }
    });
    step("c++", &["0.o", "1.o", "2.o", "-lgsoap++", "-o", "lifecycle"]);
}

#[test]
fn on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path());
    works(Backend::Sqlite, || Command::new(directory.path().join("lifecycle")));
}
