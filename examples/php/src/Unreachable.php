<?php

declare(strict_types=1);

namespace Ngnpro;

/**
 * No answer came, in all attempts. A change may have been made or not: getKey() is the Idempotency-Key under which it was
 * sent, and under which it can be sent again within 24 hours without being made twice (Client::once).
 */
final class Unreachable extends \RuntimeException
{
    private ?string $key;

    public function __construct(string $message, ?string $key, ?\Throwable $previous = null)
    {
        parent::__construct($message, 0, $previous);
        $this->key = $key;
    }

    /** The key of the change; null where nothing was to be changed. */
    public function getKey(): ?string
    {
        return $this->key;
    }
}
