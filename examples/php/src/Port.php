<?php

declare(strict_types=1);

namespace Ngnpro;

/**
 * The operations of one port, by their names in the WSDL.
 *
 * Parameters are arrays, or the objects that a get operation returned, in the order of the WSDL. Results are objects; lists are
 * plain arrays, also a list of one or none.
 */
final class Port
{
    private Connection $connection;
    private string $name;

    /** @var array<string, mixed> */
    private array $login;

    private ?string $key;

    /**
     * @internal
     * @param array<string, mixed> $login
     */
    public function __construct(Connection $connection, string $name, array $login, ?string $key)
    {
        $this->connection = $connection;
        $this->name = $name;
        $this->login = $login;
        $this->key = $key;
    }

    /**
     * @param array<int, mixed> $parameters
     * @return mixed an object, an array or a scalar; null where the operation returns nothing
     * @throws Fault        when the server refuses
     * @throws Unreachable  when no answer comes, in all attempts
     */
    public function __call(string $operation, array $parameters)
    {
        // What only reads takes no key.
        $changes = strncmp($operation, 'get', 3) !== 0;
        $key = $changes ? $this->key ?? bin2hex(random_bytes(16)) : null;
        return self::plain($this->connection->call($this->name, $operation, array_values($parameters), $this->login, $key));
    }

    /**
     * Lists become arrays: ext-soap makes an object with the only member `item` of one without array type.
     *
     * @param mixed $value
     * @return mixed
     */
    private static function plain($value)
    {
        if ($value instanceof \stdClass) {
            $members = get_object_vars($value);
            if (array_keys($members) === ['item'] && is_array($members['item'])) {
                return array_map([self::class, 'plain'], $members['item']);
            }
            foreach ($members as $name => $member) {
                $value->$name = self::plain($member);
            }
            return $value;
        }
        return is_array($value) ? array_map([self::class, 'plain'], $value) : $value;
    }
}
