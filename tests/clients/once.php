<?php
// Two changes under keys that the caller keeps, the second in the name of the customer whom the first makes.

require __DIR__ . '/../../examples/php/autoload.php';

$name = getenv('NGN_NAME');
$key = getenv('NGN_KEY');
$admin = new Ngnpro\Client(getenv('NGN_URL'), 'admin', getenv('NGN_PASSWORD'), ['admin' => true]);
try {
    $customer = $admin->once("$key-customer")->customer->addAccount([
        'username' => $name, 'password' => "$name-password", 'firstName' => 'Ada', 'lastName' => 'Example',
        'email' => "ada@$name.example.com", 'resellerActive' => true,
    ]);
    echo "customer $customer->username\n";
    $domain = $admin->actingFor($customer->id)->once("$key-domain")->sip->addDomain(['domain' => "$name.example.com"]);
    echo "domain $domain->domain is theirs ", json_encode($domain->customer === $customer->id), "\n";
} catch (Ngnpro\Fault $fault) {
    echo "fault {$fault->getCode()}\n";
    exit;
}
try {
    $admin->once("two\r\nlines");
} catch (InvalidArgumentException $refused) {
    echo "refused key\n";
}
