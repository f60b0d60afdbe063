// The life cycle of a customer by gSOAP: rpc/encoded, C++ that wsdl2h and soapcpp2 made of the WSDL.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "SipBinding.nsmap"
#include "soapH.h"

static std::string environment(const char *name) {
    const char *value = std::getenv(name);
    return value ? value : "";
}

static const std::string url = environment("NGN_URL");

// One login; every object made for it lives as long as it.
struct Login {
    struct soap *soap;
    struct SOAP_ENV__Header header;
    std::vector<std::shared_ptr<void>> kept;

    Login(const std::string &username, const std::string &password, bool admin)
        : soap(soap_new1(SOAP_C_UTFSTRING)), header() {
        header.ngn__auth = make<ngn__Auth>();
        header.ngn__auth->username = text(username);
        header.ngn__auth->password = text(password);
        header.ngn__auth->admin = scalar(admin);
    }

    ~Login() {
        soap_destroy(soap);
        soap_end(soap);
        soap_free(soap);
    }

    template <class T> T *make() {
        auto made = std::make_shared<T>();
        made->soap_default(soap);
        kept.push_back(made);
        return made.get();
    }

    template <class T> T *scalar(T value) {
        T *made = static_cast<T *>(soap_malloc(soap, sizeof(T)));
        *made = value;
        return made;
    }

    std::string *text(const std::string &value) {
        std::string *made = soap_new_std__string(soap);
        *made = value;
        return made;
    }

    // The header is taken away by every call.
    struct soap *calling() {
        soap->header = &header;
        return soap;
    }

    // A call that must succeed.
    void done(int status) {
        if (status != SOAP_OK) {
            soap_print_fault(soap, stderr);
            std::exit(1);
        }
    }

    // A call that must be refused.
    void refused(int status) {
        if (status == SOAP_OK) {
            std::cout << "no fault\n";
        } else if (soap->fault && soap->fault->detail && soap->fault->detail->ngn__exception) {
            std::cout << "fault " << soap->fault->detail->ngn__exception->errorcode << "\n";
        } else {
            done(status);
        }
    }
};

// A call: operation, its parameters, and what to do with the outcome.
#define CALL(login, outcome, operation, ...)                                                                           \
    (login).outcome(soap_call_##operation((login).calling(), url.c_str(), "", __VA_ARGS__))

static ngn__SipId *address(Login &login, const std::string &username, const std::string &domain) {
    ngn__SipId *id = login.make<ngn__SipId>();
    id->username = username;
    id->domain = domain;
    return id;
}

static ngn__SipAccount *person(Login &login, const std::string &username, const std::string &domain) {
    ngn__SipAccount *account = login.make<ngn__SipAccount>();
    account->id = address(login, username, domain);
    account->password = login.text(username + "-password");
    account->firstName = login.text(username == "alice" ? "Alice" : "Bob");
    account->lastName = login.text("Ørsted & <Zoë>");
    account->email = login.text(username + "@" + domain);
    account->quota = login.scalar(20);
    account->groups = login.make<ngn__StringArray>();
    account->groups->item.push_back("blocked");
    return account;
}

static ngn__SipQuery *query(Login &login, const std::string &domain, const char *username, int start, int count) {
    ngn__SipQuery *query = login.make<ngn__SipQuery>();
    query->filter = login.make<ngn__SipFilter>();
    query->filter->domain = login.text(domain);
    query->filter->username = username ? login.text(username) : nullptr;
    query->orderBy = login.make<ngn__SipOrderBy>();
    query->orderBy->attribute = login.text("username");
    query->orderBy->direction = login.text("ASC");
    query->range = login.make<ngn__Range>();
    query->range->start = login.scalar(start);
    query->range->count = login.scalar(count);
    return query;
}

int main() {
    const std::string name = environment("NGN_NAME"), prefix = environment("NGN_PREFIX");
    const std::string domain = name + ".example.com", zone = name + ".example.org";

    Login admin("admin", environment("NGN_PASSWORD"), true);
    ngn__CustomerAccount *customer = admin.make<ngn__CustomerAccount>();
    customer->username = admin.text(name);
    customer->password = admin.text(name + "-password");
    customer->firstName = admin.text("Ada");
    customer->lastName = admin.text("Example");
    customer->email = admin.text("ada@" + domain);
    customer->resellerActive = admin.scalar(true);
    customer->properties = admin.make<ngn__CustomerPropertyArray>();
    for (const char *credit :
         {"sip_credit", "sip_alias_credit", "enum_range_credit", "enum_number_credit", "dns_zone_credit"}) {
        ngn__CustomerProperty *property = admin.make<ngn__CustomerProperty>();
        property->name = admin.text(credit);
        property->value = admin.text("100");
        property->category = admin.text("credit");
        property->permission = admin.text("admin");
        customer->properties->item.push_back(property);
    }
    customer__addAccountResponse customerAdded;
    CALL(admin, done, customer__addAccount, customer, customerAdded);
    customer = customerAdded.return_;
    const std::string customerId = *customer->id;
    std::cout << "customer " << *customer->username << (*customer->resellerActive ? " true " : " false ")
              << customer->properties->item.size() << "\n";

    Login own(name, name + "-password", false);
    ngn__SipDomain *sipDomain = own.make<ngn__SipDomain>();
    sipDomain->domain = domain;
    sip__addDomainResponse domainAdded;
    CALL(own, done, sip__addDomain, sipDomain, domainAdded);
    for (const char *username : {"alice", "bob"}) {
        sip__addAccountResponse added;
        CALL(own, done, sip__addAccount, person(own, username, domain), added);
        std::cout << "account " << added.return_->id->username << " " << *added.return_->lastName << "\n";
    }
    ngn__SipId *alice = address(own, "alice", domain), *office = address(own, "office", domain);
    ngn__SipAlias *alias = own.make<ngn__SipAlias>();
    alias->id = office;
    alias->target = alice;
    sip__addAliasResponse aliasAdded;
    CALL(own, done, sip__addAlias, alias, aliasAdded);
    std::cout << "alias " << aliasAdded.return_->id->username << " " << aliasAdded.return_->target->username << "\n";

    ngn__EnumRange *range = own.make<ngn__EnumRange>();
    range->id = own.make<ngn__EnumRangeId>();
    range->id->prefix = prefix;
    range->id->tld = "e164.arpa";
    range->size = own.scalar(1000);
    enum__addRangeResponse rangeAdded;
    CALL(own, done, enum__addRange, range, rangeAdded);
    std::cout << "range " << rangeAdded.return_->id->prefix << " " << *rangeAdded.return_->size << "\n";
    ngn__EnumMapping *mapping = own.make<ngn__EnumMapping>();
    mapping->type = own.text("sip");
    mapping->mapto = own.text("sip:alice@" + domain);
    ngn__EnumNumber *number = own.make<ngn__EnumNumber>();
    number->id = own.make<ngn__EnumId>();
    number->id->number = prefix + "567";
    number->id->tld = "e164.arpa";
    number->mappings = own.make<ngn__EnumMappingArray>();
    number->mappings->item.push_back(mapping);
    enum__addNumberResponse numberAdded;
    CALL(own, done, enum__addNumber, number, numberAdded);
    std::cout << "number " << numberAdded.return_->id->number << " " << numberAdded.return_->mappings->item.size()
              << " " << *numberAdded.return_->mappings->item.at(0)->mapto << "\n";

    ngn__DnsZone *dnsZone = own.make<ngn__DnsZone>();
    dnsZone->name = zone;
    dnsZone->nameservers = own.make<ngn__StringArray>();
    dnsZone->nameservers->item = {"ns1.example.net", "ns2.example.net"};
    dns__addZoneResponse zoneAdded;
    CALL(own, done, dns__addZone, dnsZone, zoneAdded);
    std::cout << "zone " << zoneAdded.return_->name;
    for (const std::string &server : zoneAdded.return_->nameservers->item) {
        std::cout << " " << server;
    }
    std::cout << "\n";
    ngn__DnsRecord *record = own.make<ngn__DnsRecord>();
    record->zone = own.text(zone);
    record->name = own.text("www." + zone);
    record->type = own.scalar(ngn__DnsRecordType__A);
    record->value = own.text("192.0.2.1");
    dns__addRecordResponse recordAdded;
    CALL(own, done, dns__addRecord, record, recordAdded);
    record = recordAdded.return_;
    std::cout << "record " << *record->name << (*record->type == ngn__DnsRecordType__A ? " A " : " ? ")
              << *record->value << "\n";

    sip__getAccountsResponse found;
    CALL(own, done, sip__getAccounts, query(own, domain, nullptr, 1, 1), found);
    for (const ngn__SipAccount *account : found.return_->accounts->item) {
        std::cout << "listed " << account->id->username << " of " << *found.return_->total << "\n";
    }
    sip__getAccountsResponse none;
    CALL(own, done, sip__getAccounts, query(own, domain, "nobody", 0, 1), none);
    std::cout << "none " << none.return_->accounts->item.size() << " of " << *none.return_->total << "\n";

    sip__getAccountResponse before, after;
    sip__updateAccountResponse updated;
    CALL(own, done, sip__getAccount, alice, before);
    *before.return_->quota += 5;
    *before.return_->firstName = "Alicia";
    CALL(own, done, sip__updateAccount, before.return_, updated);
    CALL(own, done, sip__getAccount, alice, after);
    std::cout << "updated " << *after.return_->firstName << " " << *after.return_->quota;
    for (const std::string &group : after.return_->groups->item) {
        std::cout << " " << group;
    }
    std::cout << "\n";

    sip__addAccountResponse again;
    CALL(own, refused, sip__addAccount, person(own, "alice", domain), again);
    customer__getAccountResponse nobody;
    CALL(own, refused, customer__getAccount, std::to_string(std::stoll(customerId) + 1000), nobody);

    dns__deleteRecordResponse recordDeleted;
    dns__deleteZoneResponse zoneDeleted;
    enum__deleteNumberResponse numberDeleted;
    enum__deleteRangeResponse rangeDeleted;
    sip__deleteAliasResponse aliasDeleted;
    sip__deleteAccountResponse accountDeleted;
    sip__deleteDomainResponse domainDeleted;
    customer__deleteAccountResponse customerDeleted;
    CALL(own, done, dns__deleteRecord, *record->id, recordDeleted);
    CALL(own, done, dns__deleteZone, zone, zoneDeleted);
    CALL(own, done, enum__deleteNumber, number->id, numberDeleted);
    CALL(own, done, enum__deleteRange, range->id, rangeDeleted);
    CALL(own, done, sip__deleteAlias, office, aliasDeleted);
    CALL(own, done, sip__deleteAccount, alice, accountDeleted);
    CALL(own, refused, sip__getAccount, alice, after);
    CALL(own, done, sip__deleteAccount, address(own, "bob", domain), accountDeleted);
    CALL(own, done, sip__deleteDomain, domain, domainDeleted);
    CALL(admin, done, customer__deleteAccount, customerId, customerDeleted);
    CALL(own, refused, sip__getAccounts, query(own, domain, nullptr, 0, 1), found);
    return 0;
}
