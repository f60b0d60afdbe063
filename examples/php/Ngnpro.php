<?php
// A client of ngnpro for PHP 8.1 and later with ext-soap. One file, to be copied into a project.
//
//     $ngn = new Ngnpro('https://ngnpro.example.com/', 'reseller', 'password');
//     $account = $ngn->sip->addAccount(['id' => ['username' => 'alice', 'domain' => 'example.com'], ...]);
//     foreach ($ngn->sip->getAccounts(['filter' => ['domain' => 'example.com']])->accounts as $account) { ... }
//
// Parameters are arrays (or the objects that a get operation returned), in the order of the WSDL. Results are objects,
// lists are plain arrays, also a list of one or none.

/** What the server refused. The code says what happened (1011: the SIP account exists), the message what to do about it. */
final class NgnproFault extends RuntimeException
{
}

/** The server was not reached, or its answer was lost: then an operation that changes something may have been done. */
final class NgnproUnreachable extends RuntimeException
{
}

/**
 * All ports of one server under one login.
 *
 * @property-read NgnproPort $sip
 * @property-read NgnproPort $voicemail
 * @property-read NgnproPort $enum
 * @property-read NgnproPort $dns
 * @property-read NgnproPort $rating
 * @property-read NgnproPort $customer
 * @property-read NgnproPort $network
 */
final class Ngnpro
{
    /** @var array<string, NgnproPort> */
    private array $ports = [];

    /**
     * @param string $url          where ngnpro listens
     * @param bool   $admin        whether the login is one of an administrator; otherwise it is a customer's
     * @param ?int   $impersonate  the customer in whose name an administrator acts
     * @param int    $attempts     how often a connection is tried in all
     * @param float  $pause        seconds before the second attempt; each further one waits twice as long
     * @param array  $options      options of SoapClient, such as `connection_timeout`, `stream_context`, `cache_wsdl`
     */
    public function __construct(
        private string $url,
        private string $username,
        private string $password,
        private bool $admin = false,
        private ?int $impersonate = null,
        private int $attempts = 4,
        private float $pause = 0.2,
        private array $options = [],
    ) {
        $this->url = rtrim($url, '/') . '/';
    }

    /** A port by its name: `$ngn->sip`. */
    public function __get(string $port): NgnproPort
    {
        return $this->ports[$port] ??= new NgnproPort($this, ucfirst($port));
    }

    /** The SOAP client of one port: ext-soap looks operations up by name alone, and three ports have an addAccount. */
    public function soapClient(string $port): SoapClient
    {
        $client = new SoapClient("{$this->url}wsdl?port=$port", $this->options + [
            'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
            'connection_timeout' => 10,
        ]);
        $login = ['username' => $this->username, 'password' => $this->password, 'admin' => $this->admin];
        if ($this->impersonate !== null) {
            $login['impersonate'] = $this->impersonate;
        }
        $client->__setSoapHeaders(new SoapHeader('urn:AGProjects:NGNPro', 'auth', $login));
        return $client;
    }

    /**
     * Does something that needs the server, again when the connection fails.
     *
     * @param bool $harmless  whether it may be done twice; otherwise it is tried again only if nothing was sent
     */
    public function persistently(callable $work, bool $harmless): mixed
    {
        for ($attempt = 1;; $attempt++) {
            try {
                return $work();
            } catch (SoapFault $fault) {
                $connecting = str_starts_with($fault->getMessage(), 'Could not connect');
                $lost = in_array($fault->faultcode, ['HTTP', 'WSDL'], true) && !isset($fault->detail);
                if (!$connecting && !$lost) {
                    throw self::refusal($fault);
                }
                if ($attempt >= $this->attempts || !($connecting || $harmless)) {
                    throw new NgnproUnreachable($fault->getMessage(), 0, $fault);
                }
                usleep((int) (1e6 * $this->pause * 2 ** ($attempt - 1)));
            }
        }
    }

    private static function refusal(SoapFault $fault): NgnproFault
    {
        $exception = $fault->detail->exception ?? null;
        $exception = $exception->enc_value ?? $exception;
        $text = $exception->errorstring ?? $fault->getMessage();
        return new NgnproFault($text, (int) ($exception->errorcode ?? 0), $fault);
    }
}

/** The operations of one port, by their names in the WSDL. */
final class NgnproPort
{
    private ?SoapClient $client = null;

    public function __construct(private Ngnpro $ngn, private string $name)
    {
    }

    /**
     * @throws NgnproFault
     * @throws NgnproUnreachable
     */
    public function __call(string $operation, array $parameters): mixed
    {
        $this->client ??= $this->ngn->persistently(fn () => $this->ngn->soapClient($this->name), true);
        $call = fn () => $this->client->__soapCall($operation, $parameters);
        return self::plain($this->ngn->persistently($call, str_starts_with($operation, 'get')));
    }

    /** Lists become arrays: ext-soap makes an object with the only member `item` of one without array type. */
    private static function plain(mixed $value): mixed
    {
        if ($value instanceof stdClass) {
            $members = get_object_vars($value);
            if (array_keys($members) === ['item'] && is_array($members['item'])) {
                return array_map(self::plain(...), $members['item']);
            }
            foreach ($members as $name => $member) {
                $value->$name = self::plain($member);
            }
            return $value;
        }
        return is_array($value) ? array_map(self::plain(...), $value) : $value;
    }
}
