<?php
// How values travel: PHP types of results, lists of none, one and many, nulls, booleans, faults (contract A5, D).

function kind($value): string
{
    return match (true) {
        is_array($value) => 'list' . count($value) . (array_is_list($value) ? '' : ' with gaps'),
        is_object($value) => 'object',
        default => get_debug_type($value) . ' ' . json_encode($value),
    };
}

/** The members of an object, each with its type. */
function members(string $what, object $value, array $names): void
{
    foreach ($names as $name) {
        echo "$what.$name ", property_exists($value, $name) ? kind($value->$name) : 'missing', "\n";
    }
}

$alice = ['username' => 'alice', 'domain' => 'pear.example.com'];
$bob = ['username' => 'bob', 'domain' => 'pear.example.com'];
$nothing = ['username' => '', 'domain' => '', 'firstName' => '', 'owner' => 0, 'customer' => 0, 'reseller' => 0];

echo 'void ', kind($admin->sip->updateDomain(domain: $admin->sip->addDomain(domain: ['domain' => 'pear.example.com']))), "\n";
$domain = $admin->sip->getDomains(query: [
    'filter' => ['domain' => 'pear.example.com', 'customer' => 0, 'reseller' => 0],
    'orderBy' => ['attribute' => 'changeDate', 'direction' => 'DESC'],
    'range' => ['start' => 0, 'count' => 1],
]);
members('domains', $domain, ['domains', 'total']);
members('domain', $domain->domains[0], ['domain', 'customer', 'certificate', 'verify_cert', 'require_cert']);

$added = $admin->sip->addAccount(account: [
    'id' => $alice, 'password' => 'secret', 'firstName' => 'Alice', 'lastName' => 'Example', 'rpid' => null,
    'email' => 'alice@pear.example.com', 'timezone' => 'Europe/Amsterdam', 'owner' => '', 'prepaid' => 1,
    'quota' => '10', 'callLimit' => 2.0, 'groups' => ['', 'free-pstn'], 'acl' => [['ip' => '192.0.2.0', 'mask' => 24]],
    'properties' => [['name' => 'color', 'value' => 'blue'], ['name' => 'size', 'value' => '12']],
]);
members('account', $added, [
    'id', 'password', 'lastName', 'groups', 'acl', 'properties', 'quota', 'callLimit', 'prepaid', 'rpid', 'region', 'owner',
]);
members('acl', $added->acl[0], ['ip', 'mask', 'tag']);
$admin->sip->addAccount(account: [
    'id' => $bob, 'password' => 'secret', 'firstName' => 'Bob', 'lastName' => 'Example', 'email' => 'bob@pear.example.com',
    'groups' => [], 'acl' => [], 'properties' => [], 'prepaid' => false,
]);
members('other', $admin->sip->getAccount(sipId: $bob), ['groups', 'acl', 'properties', 'prepaid', 'quota']);
$found = $admin->sip->getAccounts(query: ['filter' => $nothing + ['groups' => ['']], 'range' => ['start' => 0, 'count' => 20]]);
echo 'accounts ', kind($found->accounts), ' ', kind($found->total), "\n";

$prepaid = $admin->sip->getPrepaidStatus(sipIds: [$bob, $alice]);
echo 'prepaid ', kind($prepaid), ' ', kind($prepaid[0]->balance), ' ', kind($prepaid[1]->balance), "\n";
members('balance', $admin->sip->addBalance(sipId: $alice, value: 7.5, description: 'Gift'), ['old_balance', 'new_balance']);
members('balance', $admin->sip->addBalance(sipId: $alice, value: '2', description: ''), ['old_balance', 'new_balance']);
$history = $admin->sip->getCreditHistory(sipId: $alice, count: 200);
echo 'history ', kind($history->entries), ' ', kind($history->entries[0]->balance), "\n";

members('diversions', $admin->sip->getCallDiversions(sipId: $alice), ['FUNC', 'FNOL', 'FBUS']);
$admin->sip->setCallDiversions(sipId: $alice, diversions: ['FBUS' => '<voice-mailbox>', 'FUNC' => 'sip:bob@pear.example.com']);
members('diversions', $admin->sip->getCallDiversions(sipId: $alice), ['FUNC', 'FNOL', 'FBUS']);
$admin->sip->setCallDiversions(sipId: $alice, diversions: ['nocondition' => 'empty']);
members('diversions', $admin->sip->getCallDiversions(sipId: $alice), ['FUNC', 'FNOL', 'FBUS']);

echo 'rejected ', kind($admin->sip->getRejectMembers(sipId: $alice)), "\n";
foreach ([['sip:x@example.net'], ['sip:x@example.net', 'sip:y@example.net'], []] as $members) {
    $admin->sip->setRejectMembers(sipId: $alice, members: $members);
    $members = $admin->sip->getRejectMembers(sipId: $alice);
    echo rtrim('rejected ' . kind($members) . ' ' . implode(' ', $members)), "\n";
}
// More than ten: the library then no longer looks whether keys are numbers.
$many = array_map(fn ($i) => "+3120$i", range(100, 119));
$admin->sip->setBarringPrefixes(sipId: $alice, prefixes: $many);
echo 'barred ', json_encode($admin->sip->getBarringPrefixes(sipId: $alice) == $many), "\n";

$admin->sip->setAcceptRules(sipId: $alice, rules: [
    'persistent' => [['start' => '08:00', 'stop' => '17:00', 'groups' => ['everybody'], 'days' => 31]],
    'temporary' => ['groups' => ['nobody'], 'duration' => 30],
]);
$rules = $admin->sip->getAcceptRules(sipId: $alice);
members('accept', $rules, ['rules', 'nonEmptyGroups']);
members('accept', $rules->rules, ['persistent', 'temporary']);
members('persistent', $rules->rules->persistent[0], ['days', 'start', 'stop', 'groups']);
members('temporary', $rules->rules->temporary, ['groups']);

$devices = $admin->sip->getSipDeviceLocations(sipIds: [$alice]);
echo 'devices ', kind($devices), ' ', kind($devices[0]->locations), "\n";
$calls = $admin->sip->getCalls(sipId: $alice, query: ['placed' => ['limit' => 50], 'received' => ['limit' => 50]]);
members('calls', $calls, ['placed', 'received']);
echo 'summary ', is_array(json_decode($admin->sip->getMediaSummary())) ? 'JSON' : 'something else', "\n";

// A list parameter at the top, and only `id` in its items.
$carrier = $admin->sip->addCarrier(carrier: ['name' => 'PEAR']);
echo 'routes ', kind($admin->sip->addRoutes(routes: [
    ['prefix' => '0031', 'originator' => '', 'carrier_id' => $carrier->id, 'priority' => 0],
    ['prefix' => '0032', 'originator' => null, 'carrier_id' => (string) $carrier->id, 'priority' => 1],
])), "\n";
$routes = $admin->sip->getRoutes(query: [
    'filter' => ['carrier_id' => $carrier->id], 'orderBy' => ['attribute' => 'prefix', 'direction' => 'ASC'],
]);
members('route', $routes->routes[1], ['prefix', 'carrier', 'priority']);
$admin->sip->deleteRoutes(routes: array_map(fn ($route) => ['id' => $route->id], $routes->routes));
$admin->sip->deleteCarrier(id: $carrier->id);

$admin->dns->addZone(zone: ['name' => 'pear.example.org', 'nameservers' => [], 'ttl' => 3600]);
$zone = $admin->dns->getZone(zone: 'pear.example.org');
members('zone', $zone, ['name', 'ttl', 'nameservers', 'email']);
// As the screen does: the serial is not in the form and becomes 0 (B110).
$serial = $zone->serial;
$zone->serial = 0;
$zone->info = "l'été \"<&>\"";
$zone->nameservers = ['ns1.example.net'];
$admin->dns->updateZone(zone: $zone);
$zone = $admin->dns->getZone(zone: 'pear.example.org');
echo "zone $zone->info ", kind($zone->nameservers), ' ', json_encode($zone->serial > $serial), "\n";
$admin->dns->deleteZone(zone: 'pear.example.org');

$admin->voicemail->addAccount(account: [
    'sipId' => $alice, 'name' => 'Alice', 'password' => '4711', 'email' => 'alice@pear.example.com', 'options' => ['delete' => 1],
]);
$mailbox = $admin->voicemail->getAccount(sipId: $alice);
members('mailbox', $mailbox, ['mailbox', 'password', 'options']);
echo 'delete ', kind($mailbox->options->delete), "\n";

$customer = $admin->customer->addAccount(account: [
    'username' => 'pear', 'password' => 'secret-of-pear', 'firstName' => 'Ada', 'lastName' => 'Example',
    'email' => 'ada@pear.example.com', 'properties' => [],
]);
members('customer', $customer, ['id', 'reseller', 'impersonate', 'balance', 'credit', 'resellerActive', 'properties']);
$admin->customer->setProperties(customer: $customer->id, properties: [
    ['name' => 'language', 'category' => 'web', 'value' => 'nl', 'permission' => 'customer'],
]);
$properties = $admin->customer->getProperties(customer: $customer->id);
echo 'properties ', kind($properties), " {$properties[0]->name} {$properties[0]->value}\n";

$password = getenv('NGN_PASSWORD');
$other = fn ($user, $password, $more) => new Ngn($way, $user, $password, $more);
$as = $other('admin', $password, ['admin' => true, 'impersonate' => $customer->id]);
echo 'impersonated ', kind($as->sip->getAccounts(query: [])->total), "\n";
fault(fn () => $as->sip->getAccount(sipId: $alice));
fault(fn () => $other('admin', $password, ['admin' => true, 'impersonate' => 99999])->sip->getGroups(sipId: $alice));
fault(fn () => $other('admin', 'wrong', ['admin' => true])->sip->getGroups(sipId: $alice));
fault(fn () => $other('pear', 'secret-of-pear', ['admin' => false])->sip->getTrustedPeers(query: []));
fault(fn () => $admin->sip->removeFromGroup(sipId: $alice, group: 'quota'));
fault(fn () => $admin->enum->getNumber(enumId: ['number' => '31201234567', 'tld' => 'e164.arpa']));
fault(fn () => $admin->rating->getEntityProfiles(entity: 'subscriber://alice@pear.example.com'));
fault(fn () => $admin->sip->getAccounts(query: ['range' => ['start' => 'many', 'count' => 1]]));
