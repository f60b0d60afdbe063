<?php

declare(strict_types=1);

namespace Ngnpro;

/**
 * The way to a server: one SoapClient per port, which keeps its connection open, and the patience to call again.
 *
 * A call is made again when the connection fails, the answer is lost, or something on the way says that the server is not there
 * (HTTP 502, 503, 504). Whether the server had already done it does not matter: what reads is harmless, and what changes carries
 * an Idempotency-Key, under which the server does it once and gives the first answer again.
 *
 * @internal
 */
final class Connection
{
    private const NAMESPACE = 'urn:AGProjects:NGNPro';

    private string $url;
    private int $attempts;
    private float $pause;
    private float $longestPause;
    private int $timeout;

    /** @var array<string, mixed> */
    private array $options;

    /** @var resource */
    private $context;

    /** Headers that the stream context came with. */
    private string $headers;

    /** @var array<string, \SoapClient> */
    private array $clients = [];

    /** @param array<string, mixed> $options  of Client */
    public function __construct(string $url, array $options)
    {
        $this->url = rtrim($url, '/') . '/';
        $this->attempts = max(1, $options['attempts'] ?? 6);
        $this->pause = $options['pause'] ?? 0.2;
        $this->longestPause = $options['longestPause'] ?? 5.0;
        $this->timeout = $options['timeout'] ?? 30;
        $soap = $options['soap'] ?? [];
        $this->context = $soap['stream_context'] ?? stream_context_create();
        $headers = stream_context_get_options($this->context)['http']['header'] ?? [];
        $this->headers = implode("\r\n", (array) $headers);
        $this->options = ['stream_context' => $this->context, 'exceptions' => true, 'trace' => true] + $soap + [
            'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
            'connection_timeout' => $options['connectTimeout'] ?? 10,
            'keep_alive' => true,
        ];
    }

    /**
     * @param array<int, mixed>    $parameters
     * @param array<string, mixed> $login
     * @return mixed
     */
    public function call(string $port, string $operation, array $parameters, array $login, ?string $key)
    {
        $header = new \SoapHeader(self::NAMESPACE, 'auth', $login);
        for ($attempt = 1;; $attempt++) {
            try {
                return $this->attempt($port, $operation, $parameters, $header, $key);
            } catch (\SoapFault $fault) {
                if (!$this->isOutage($fault, $port)) {
                    throw self::refusal($fault);
                }
                if ($attempt >= $this->attempts) {
                    throw new Unreachable($fault->getMessage(), $key, $fault);
                }
            }
            $pause = min($this->longestPause, $this->pause * 2 ** ($attempt - 1));
            // Not all clients at the same moment when a server comes back.
            usleep((int) ($pause * random_int(500000, 1000000)));
        }
    }

    /**
     * @param array<int, mixed> $parameters
     * @return mixed
     */
    private function attempt(string $port, string $operation, array $parameters, \SoapHeader $header, ?string $key)
    {
        $before = ini_set('default_socket_timeout', (string) $this->timeout);
        $headers = $key === null ? [] : ["Idempotency-Key: $key"];
        if ($this->headers !== '') {
            $headers[] = $this->headers;
        }
        stream_context_set_option($this->context, 'http', 'header', implode("\r\n", $headers));
        try {
            return $this->client($port)->__soapCall($operation, $parameters, null, $header);
        } finally {
            ini_set('default_socket_timeout', (string) $before);
        }
    }

    /** One WSDL per port: ext-soap looks operations up by name alone, and three ports have an addAccount. */
    private function client(string $port): \SoapClient
    {
        if (!isset($this->clients[$port])) {
            // A failure is a warning besides an exception.
            $this->clients[$port] = @new \SoapClient("{$this->url}wsdl?port=$port", $this->options);
        }
        return $this->clients[$port];
    }

    /** Whether no answer of the server came, so that it is worth calling again. */
    private function isOutage(\SoapFault $fault, string $port): bool
    {
        $code = $fault->faultcode ?? '';
        if ($fault->getMessage() === 'looks like we got no XML document') {
            // Half an answer, or the page of something on the way.
            return true;
        }
        if (isset($fault->detail) || !in_array($code, ['HTTP', 'WSDL'], true)) {
            return false;
        }
        // An answer with status 4xx is not going to be better.
        $headers = isset($this->clients[$port]) ? (string) $this->clients[$port]->__getLastResponseHeaders() : '';
        $refused = preg_match('~^HTTP/\S+ 4\d\d ?([^\r\n]*)~', $headers, $status) === 1;
        return !($refused && trim($status[1]) === $fault->getMessage());
    }

    private static function refusal(\SoapFault $fault): Fault
    {
        $exception = $fault->detail->exception ?? null;
        $exception = $exception->enc_value ?? $exception;
        $text = $exception->errorstring ?? $fault->getMessage();
        return new Fault($text, (int) ($exception->errorcode ?? 0), $fault);
    }
}
