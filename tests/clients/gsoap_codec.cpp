// What gSOAP's C++ takes to decode and to encode one message: codec FILE MESSAGES
//
// Prints user microseconds of a decoding and of an encoding.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <sys/resource.h>

#include "SipBinding.nsmap"
#include "soapH.h"

static double userSeconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_utime.tv_sec) + double(usage.ru_utime.tv_usec) / 1e6;
}

static void check(struct soap *soap, int status) {
    if (status != SOAP_OK) {
        soap_print_fault(soap, stderr);
        std::exit(1);
    }
}

// A message in memory, read as from a socket.
struct Source : std::streambuf {
    void give(std::string &text) { setg(&text[0], &text[0], &text[0] + text.size()); }
};

// Memory that a message is written to.
struct Sink : std::streambuf {
    std::string text;
    std::streamsize xsputn(const char *data, std::streamsize length) override {
        text.append(data, length);
        return length;
    }
    int overflow(int c) override {
        text.push_back(char(c));
        return c;
    }
};

static void decode(struct soap *soap, Source &source, std::istream &in, std::string &message, sip__addAccount &call) {
    source.give(message);
    in.clear();
    soap->is = &in;
    check(soap, soap_begin_recv(soap));
    check(soap, soap_envelope_begin_in(soap));
    check(soap, soap_recv_header(soap));
    check(soap, soap_body_begin_in(soap));
    soap_default_sip__addAccount(soap, &call);
    if (!soap_get_sip__addAccount(soap, &call, "sip:addAccount", nullptr)) {
        check(soap, soap->error);
    }
    check(soap, soap_body_end_in(soap));
    check(soap, soap_envelope_end_in(soap));
    check(soap, soap_end_recv(soap));
}

static void encode(struct soap *soap, std::ostream &out, sip__addAccount &call) {
    soap->os = &out;
    soap->encodingStyle = "http://schemas.xmlsoap.org/soap/encoding/";
    soap_serializeheader(soap);
    soap_serialize_sip__addAccount(soap, &call);
    check(soap, soap_begin_send(soap));
    check(soap, soap_envelope_begin_out(soap));
    check(soap, soap_putheader(soap));
    check(soap, soap_body_begin_out(soap));
    check(soap, soap_put_sip__addAccount(soap, &call, "sip:addAccount", nullptr));
    check(soap, soap_body_end_out(soap));
    check(soap, soap_envelope_end_out(soap));
    check(soap, soap_end_send(soap));
}

int main(int, char **arguments) {
    std::ifstream file(arguments[1]);
    std::stringstream whole;
    whole << file.rdbuf();
    std::string message = whole.str();
    const int messages = std::atoi(arguments[2]);

    struct soap *soap = soap_new1(SOAP_C_UTFSTRING);
    Source source;
    std::istream in(&source);
    sip__addAccount call;
    for (int i = 0; i < messages / 20; i++) {
        decode(soap, source, in, message, call);
        soap_destroy(soap);
        soap_end(soap);
    }
    double before = userSeconds();
    for (int i = 0; i < messages; i++) {
        decode(soap, source, in, message, call);
        soap_destroy(soap);
        soap_end(soap);
    }
    const double decoding = (userSeconds() - before) * 1e6 / messages;

    decode(soap, source, in, message, call);
    if (!call.account || *call.account->lastName != "Ørsted & Zoë" || call.account->groups->item.size() != 2) {
        std::fputs("the message was not read\n", stderr);
        return 1;
    }
    struct SOAP_ENV__Header header = *soap->header;
    Sink sink;
    std::ostream out(&sink);
    before = userSeconds();
    for (int i = 0; i < messages; i++) {
        sink.text.clear();
        soap->header = &header;
        encode(soap, out, call);
    }
    const double encoding = (userSeconds() - before) * 1e6 / messages;
    if (sink.text.find("Ørsted &amp; Zoë") == std::string::npos) {
        std::fputs("the message was not written\n", stderr);
        return 1;
    }
    std::cout << decoding << " " << encoding << "\n";
    return 0;
}
