<?php
// The life cycle of a customer. See ../lifecycle.rs for what is printed.

$name = getenv('NGN_NAME');
$prefix = getenv('NGN_PREFIX');
$domain = "$name.example.com";
$zone = "$name.example.org";

$property = fn ($name) => ['name' => $name, 'value' => '100', 'category' => 'credit', 'permission' => 'admin'];
$customer = $admin->customer->addAccount(account: [
    'username' => $name,
    'password' => "$name-password",
    'firstName' => 'Ada',
    'lastName' => 'Example',
    'email' => "ada@$domain",
    'resellerActive' => 1,
    'properties' => array_map($property, [
        'sip_credit', 'sip_alias_credit', 'enum_range_credit', 'enum_number_credit', 'dns_zone_credit',
    ]),
]);
echo "customer $customer->username ", json_encode($customer->resellerActive), ' ', count($customer->properties), "\n";

$ngn = new Ngn($way, $name, "$name-password", ['admin' => false]);
$ngn->sip->addDomain(domain: ['domain' => $domain]);
$accounts = [];
foreach (['alice', 'bob'] as $username) {
    $accounts[$username] = [
        'id' => ['username' => $username, 'domain' => $domain],
        'password' => "$username-password",
        'firstName' => ucfirst($username),
        'lastName' => 'Ørsted & <Zoë>',
        'email' => "$username@$domain",
        'quota' => 20,
        'groups' => ['blocked'],
    ];
    $added = $ngn->sip->addAccount(account: $accounts[$username]);
    echo "account {$added->id->username} $added->lastName\n";
}
$alice = $accounts['alice']['id'];
$office = ['username' => 'office', 'domain' => $domain];
$alias = $ngn->sip->addAlias(alias: ['id' => $office, 'target' => $alice]);
echo "alias {$alias->id->username} {$alias->target->username}\n";

$range = ['prefix' => $prefix, 'tld' => 'e164.arpa'];
$number = ['number' => "{$prefix}567", 'tld' => 'e164.arpa'];
$added = $ngn->enum->addRange(range: ['id' => $range, 'size' => 1000]);
echo "range {$added->id->prefix} $added->size\n";
$added = $ngn->enum->addNumber(number: [
    'id' => $number,
    'mappings' => [['type' => 'sip', 'mapto' => "sip:alice@$domain"]],
]);
echo "number {$added->id->number} ", count($added->mappings), " {$added->mappings[0]->mapto}\n";

$added = $ngn->dns->addZone(zone: ['name' => $zone, 'nameservers' => ['ns1.example.net', 'ns2.example.net']]);
echo "zone $added->name ", implode(' ', $added->nameservers), "\n";
$record = $ngn->dns->addRecord(record: [
    'zone' => $zone, 'name' => "www.$zone", 'type' => 'A', 'value' => '192.0.2.1',
]);
echo "record $record->name $record->type $record->value\n";

$page = $ngn->sip->getAccounts(query: [
    'filter' => ['domain' => $domain],
    'orderBy' => ['attribute' => 'username', 'direction' => 'ASC'],
    'range' => ['start' => 1, 'count' => 1],
]);
foreach ($page->accounts as $account) {
    echo "listed {$account->id->username} of $page->total\n";
}
$none = $ngn->sip->getAccounts(query: ['filter' => ['domain' => $domain, 'username' => 'nobody']]);
echo 'none ', count($none->accounts), " of $none->total\n";

$account = $ngn->sip->getAccount(sipId: $alice);
$account->quota += 5;
$account->firstName = 'Alicia';
// The object goes back whole, with a member that no type has: the screens of CDRTool do that.
$account->answerTimeout = 0;
$ngn->sip->updateAccount(account: $account);
$account = $ngn->sip->getAccount(sipId: $alice);
echo "updated $account->firstName $account->quota ", implode(' ', $account->groups), "\n";

fault(fn () => $ngn->sip->addAccount(account: $accounts['alice']));
fault(fn () => $ngn->customer->getAccount(id: $customer->id + 1000));

$ngn->dns->deleteRecord(recordId: $record->id);
$ngn->dns->deleteZone(zone: $zone);
$ngn->enum->deleteNumber(enumId: $number);
$ngn->enum->deleteRange(range: $range);
$ngn->sip->deleteAlias(id: $office);
$ngn->sip->deleteAccount(sipId: $alice);
fault(fn () => $ngn->sip->getAccount(sipId: $alice));
$ngn->sip->deleteAccount(sipId: $accounts['bob']['id']);
$ngn->sip->deleteDomain(domain: $domain);
$admin->customer->deleteAccount(id: $customer->id);
fault(fn () => $ngn->sip->getAccounts(query: []));
