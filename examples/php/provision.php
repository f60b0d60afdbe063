<?php
// Provisions a customer over SOAP. See examples/README.md for the environment.

require __DIR__ . '/autoload.php';

$name = getenv('NGN_NAME') ?: 'example';
$prefix = getenv('NGN_PREFIX') ?: '31201234';
$domain = "$name.example.com";
$ngn = new Ngnpro\Client(
    getenv('NGN_URL') ?: 'http://127.0.0.1:9200/',
    getenv('NGN_USER') ?: 'admin',
    getenv('NGN_PASSWORD') ?: '',
    ['admin' => true]
);

try {
    $customer = $ngn->customer->addAccount([
        'username' => $name,
        'password' => "$name-web-password",
        'firstName' => 'Ada',
        'lastName' => 'Example',
        'email' => "ada@$domain",
        // The right to call telephone numbers, which the group free-pstn of an account needs.
        'properties' => [
            ['name' => 'pstn_access', 'value' => '1', 'category' => 'sip', 'permission' => 'admin'],
        ],
    ]);
    echo "customer $customer->username\n";

    $ngn->sip->addDomain(['domain' => $domain, 'customer' => $customer->id, 'reseller' => $customer->reseller]);
    foreach (['alice', 'bob'] as $username) {
        $account = $ngn->sip->addAccount([
            'id' => ['username' => $username, 'domain' => $domain],
            'password' => "$username-sip-password",
            'firstName' => ucfirst($username),
            'lastName' => 'Example',
            'email' => "$username@$domain",
            'groups' => ['free-pstn'],
        ]);
        echo "account {$account->id->username}@{$account->id->domain}\n";
    }

    $ngn->enum->addRange([
        'id' => ['prefix' => $prefix, 'tld' => 'e164.arpa'],
        'minDigits' => 11,
        'maxDigits' => 11,
        'size' => 1000,
        'customer' => $customer->id,
        'reseller' => $customer->reseller,
    ]);
    $number = $ngn->enum->addNumber([
        'id' => ['number' => "{$prefix}567", 'tld' => 'e164.arpa'],
        'mappings' => [['type' => 'sip', 'mapto' => "sip:alice@$domain"]],
    ]);
    echo "number {$number->id->number}\n";

    // Everything that belongs to the customer, in the shape of all list operations.
    $accounts = $ngn->sip->getAccounts([
        'filter' => ['domain' => $domain],
        'orderBy' => ['attribute' => 'username', 'direction' => 'ASC'],
        'range' => ['start' => 0, 'count' => 20],
    ]);
    foreach ($accounts->accounts as $account) {
        echo "listed {$account->id->username}@{$account->id->domain} $account->firstName $account->lastName\n";
    }
    echo "total $accounts->total\n";

    foreach ($ngn->enum->getNumbers(['filter' => ['number' => "$prefix%"]])->numbers as $number) {
        foreach ($number->mappings as $mapping) {
            echo "listed +{$number->id->number} {$mapping->type} $mapping->mapto\n";
        }
    }
} catch (Ngnpro\Fault $fault) {
    fwrite(STDERR, "refused: {$fault->getCode()} {$fault->getMessage()}\n");
    exit(1);
} catch (Ngnpro\Unreachable $failure) {
    fwrite(STDERR, "not reached: {$failure->getMessage()}\n");
    exit(1);
}
