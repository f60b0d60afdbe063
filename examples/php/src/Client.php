<?php

declare(strict_types=1);

namespace Ngnpro;

/**
 * All ports of one server under one login.
 *
 *     $ngn = new Ngnpro\Client('https://ngnpro.example.com/', 'acme', 'password');
 *     $account = $ngn->sip->addAccount(['id' => ['username' => 'alice', 'domain' => 'example.com'], ...]);
 *     foreach ($ngn->sip->getAccounts(['filter' => ['domain' => 'example.com']])->accounts as $account) { ... }
 *
 * @property-read Port $sip        SIP domains, accounts, aliases, peers and routing
 * @property-read Port $voicemail  mailboxes
 * @property-read Port $enum       ENUM ranges and numbers
 * @property-read Port $dns        zones and records
 * @property-read Port $rating     rating profiles
 * @property-read Port $customer   customers and resellers
 * @property-read Port $network    status of the platform
 */
final class Client
{
    private const PORTS = ['sip', 'voicemail', 'enum', 'dns', 'rating', 'customer', 'network'];

    private Connection $connection;

    /** @var array<string, mixed> */
    private array $login;

    private ?string $key = null;

    /**
     * @param string $url       where ngnpro listens
     * @param string $username  login of a customer or reseller, or of an administrator (`admin`)
     * @param array{
     *     admin?: bool, impersonate?: int, attempts?: int, pause?: float, longestPause?: float,
     *     timeout?: int, connectTimeout?: int, soap?: array<string, mixed>
     * } $options
     *   admin           whether the login is one of an administrator; otherwise it is a customer's
     *   impersonate     the customer in whose name an administrator acts
     *   attempts        how often a call is made in all while no answer comes: 6
     *   pause           seconds before the second attempt, at most: 0.2; each further pause is twice as long
     *   longestPause    seconds that no pause exceeds: 5
     *   timeout         seconds that an answer may take: 30
     *   connectTimeout  seconds that a connection may take: 10
     *   soap            options of SoapClient, such as `stream_context`, `cache_wsdl`, `ssl_method`
     */
    public function __construct(string $url, string $username, string $password, array $options = [])
    {
        $this->connection = new Connection($url, $options);
        $this->login = ['username' => $username, 'password' => $password, 'admin' => $options['admin'] ?? false];
        if (isset($options['impersonate'])) {
            $this->login['impersonate'] = $options['impersonate'];
        }
    }

    /** The same administrator in the name of a customer or reseller; 0 is in nobody's name. */
    public function actingFor(int $customer): self
    {
        $other = clone $this;
        $other->login['impersonate'] = $customer;
        return $other;
    }

    /**
     * The same client with an Idempotency-Key of your own, for one change: `$ngn->once($order)->sip->addAccount(...)`.
     *
     * Whoever keeps the key can repeat the change after a crash, within 24 hours, and gets the first answer. Without this,
     * every change has a new key, which protects it against lost answers as long as this process lives.
     *
     * @param string $key  1 to 255 printable ASCII characters, no spaces
     */
    public function once(string $key): self
    {
        if (preg_match('/^[\x21-\x7e]{1,255}$/D', $key) !== 1) {
            throw new \InvalidArgumentException('an Idempotency-Key is 1 to 255 printable ASCII characters, no spaces');
        }
        $other = clone $this;
        $other->key = $key;
        return $other;
    }

    /** A port by its name: `$ngn->sip`. */
    public function __get(string $port): Port
    {
        if (!in_array($port, self::PORTS, true)) {
            throw new \LogicException("ngnpro has no port $port; its ports are " . implode(', ', self::PORTS));
        }
        return new Port($this->connection, ucfirst($port), $this->login, $this->key);
    }
}
