<?php
// The life cycle of a customer by ext-soap, through the client of examples/php.

require __DIR__ . '/../../examples/php/autoload.php';

$name = getenv('NGN_NAME');
$prefix = getenv('NGN_PREFIX');
$domain = "$name.example.com";
$zone = "$name.example.org";
$options = ['soap' => ['cache_wsdl' => WSDL_CACHE_NONE]];
$admin = new Ngnpro\Client(getenv('NGN_URL'), 'admin', getenv('NGN_PASSWORD'), ['admin' => true] + $options);

function fault(callable $work): void
{
    try {
        $work();
        echo "no fault\n";
    } catch (Ngnpro\Fault $fault) {
        echo "fault {$fault->getCode()}\n";
    }
}

$property = fn ($name) => ['name' => $name, 'value' => '100', 'category' => 'credit', 'permission' => 'admin'];
$customer = $admin->customer->addAccount([
    'username' => $name,
    'password' => "$name-password",
    'firstName' => 'Ada',
    'lastName' => 'Example',
    'email' => "ada@$domain",
    'resellerActive' => true,
    'properties' => array_map($property, [
        'sip_credit', 'sip_alias_credit', 'enum_range_credit', 'enum_number_credit', 'dns_zone_credit',
    ]),
]);
echo "customer $customer->username ", json_encode($customer->resellerActive), ' ', count($customer->properties), "\n";

$ngn = new Ngnpro\Client(getenv('NGN_URL'), $name, "$name-password", $options);
$ngn->sip->addDomain(['domain' => $domain]);
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
    $added = $ngn->sip->addAccount($accounts[$username]);
    echo "account {$added->id->username} $added->lastName\n";
}
$alice = $accounts['alice']['id'];
$office = ['username' => 'office', 'domain' => $domain];
$alias = $ngn->sip->addAlias(['id' => $office, 'target' => $alice]);
echo "alias {$alias->id->username} {$alias->target->username}\n";

$range = ['prefix' => $prefix, 'tld' => 'e164.arpa'];
$number = ['number' => "{$prefix}567", 'tld' => 'e164.arpa'];
$added = $ngn->enum->addRange(['id' => $range, 'size' => 1000]);
echo "range {$added->id->prefix} $added->size\n";
$added = $ngn->enum->addNumber(['id' => $number, 'mappings' => [['type' => 'sip', 'mapto' => "sip:alice@$domain"]]]);
echo "number {$added->id->number} ", count($added->mappings), " {$added->mappings[0]->mapto}\n";

$added = $ngn->dns->addZone(['name' => $zone, 'nameservers' => ['ns1.example.net', 'ns2.example.net']]);
echo "zone $added->name ", implode(' ', $added->nameservers), "\n";
$record = $ngn->dns->addRecord(['zone' => $zone, 'name' => "www.$zone", 'type' => 'A', 'value' => '192.0.2.1']);
echo "record $record->name $record->type $record->value\n";

$page = $ngn->sip->getAccounts([
    'filter' => ['domain' => $domain],
    'orderBy' => ['attribute' => 'username', 'direction' => 'ASC'],
    'range' => ['start' => 1, 'count' => 1],
]);
foreach ($page->accounts as $account) {
    echo "listed {$account->id->username} of $page->total\n";
}
$none = $ngn->sip->getAccounts(['filter' => ['domain' => $domain, 'username' => 'nobody']]);
echo 'none ', count($none->accounts), " of $none->total\n";

$account = $ngn->sip->getAccount($alice);
$account->quota += 5;
$account->firstName = 'Alicia';
$ngn->sip->updateAccount($account);
$account = $ngn->sip->getAccount($alice);
echo "updated $account->firstName $account->quota ", implode(' ', $account->groups), "\n";

fault(fn () => $ngn->sip->addAccount($accounts['alice']));
fault(fn () => $ngn->customer->getAccount($customer->id + 1000));

$ngn->dns->deleteRecord($record->id);
$ngn->dns->deleteZone($zone);
$ngn->enum->deleteNumber($number);
$ngn->enum->deleteRange($range);
$ngn->sip->deleteAlias($office);
$ngn->sip->deleteAccount($alice);
fault(fn () => $ngn->sip->getAccount($alice));
$ngn->sip->deleteAccount($accounts['bob']['id']);
$ngn->sip->deleteDomain($domain);
$admin->customer->deleteAccount($customer->id);
fault(fn () => $ngn->sip->getAccounts([]));
