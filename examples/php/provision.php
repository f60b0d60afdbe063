<?php
// Provisions a customer over SOAP with PHP's ext-soap. See examples/README.md for the environment.
//
// ext-soap looks an operation up by its name alone, and Sip, Customer and Voicemail all have addAccount: so each port
// gets a client of its own, made from the WSDL of that port.

$url = getenv('NGN_URL') ?: 'http://127.0.0.1:9200/';
$name = getenv('NGN_NAME') ?: 'example';
$prefix = getenv('NGN_PREFIX') ?: '31201234';
$domain = "$name.example.com";

function port(string $port): SoapClient
{
    global $url;
    $client = new SoapClient("{$url}wsdl?port=$port", [
        'cache_wsdl' => WSDL_CACHE_NONE,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'exceptions' => true,
    ]);
    $login = [
        'username' => getenv('NGN_USER') ?: 'admin',
        'password' => getenv('NGN_PASSWORD') ?: '',
        'admin' => true,
    ];
    $client->__setSoapHeaders(new SoapHeader('urn:AGProjects:NGNPro', 'auth', $login));
    return $client;
}

$customers = port('Customer');
$sip = port('Sip');
$enum = port('Enum');

try {
    $customer = $customers->addAccount([
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

    $sip->addDomain(['domain' => $domain, 'customer' => $customer->id, 'reseller' => $customer->reseller]);
    foreach (['alice', 'bob'] as $username) {
        $account = $sip->addAccount([
            'id' => ['username' => $username, 'domain' => $domain],
            'password' => "$username-sip-password",
            'firstName' => ucfirst($username),
            'lastName' => 'Example',
            'email' => "$username@$domain",
            'groups' => ['free-pstn'],
        ]);
        echo "account {$account->id->username}@{$account->id->domain}\n";
    }

    $enum->addRange([
        'id' => ['prefix' => $prefix, 'tld' => 'e164.arpa'],
        'minDigits' => 11,
        'maxDigits' => 11,
        'size' => 1000,
        'customer' => $customer->id,
        'reseller' => $customer->reseller,
    ]);
    $number = $enum->addNumber([
        'id' => ['number' => "{$prefix}567", 'tld' => 'e164.arpa'],
        'mappings' => [['type' => 'sip', 'mapto' => "sip:alice@$domain"]],
    ]);
    echo "number {$number->id->number}\n";

    // Everything that belongs to the customer, in the shape of all list operations.
    $page = ['orderBy' => ['attribute' => 'username', 'direction' => 'ASC'], 'range' => ['start' => 0, 'count' => 20]];
    $accounts = $sip->getAccounts(['filter' => ['domain' => $domain]] + $page);
    foreach (items($accounts->accounts) as $account) {
        echo "listed {$account->id->username}@{$account->id->domain} $account->firstName $account->lastName\n";
    }
    echo "total $accounts->total\n";

    $numbers = $enum->getNumbers(['filter' => ['number' => "$prefix%"]]);
    foreach (items($numbers->numbers) as $number) {
        foreach (items($number->mappings) as $mapping) {
            echo "listed +{$number->id->number} {$mapping->type} $mapping->mapto\n";
        }
    }
} catch (SoapFault $fault) {
    // The code says what happened, errorstring what to do about it.
    $exception = $fault->detail->exception ?? null;
    fwrite(STDERR, sprintf("refused: %s %s\n", $exception->errorcode ?? '-', $exception->errorstring ?? $fault->getMessage()));
    exit(1);
}

/** A list's items, whether the client made an array or an object with `item` of it. */
function items($list): array
{
    return is_array($list) ? $list : (array) ($list->item ?? []);
}
