<?php
// PEAR SOAP, the library of the original client, in three ways that its users have:
//
//     pear.php proxies           prints what SOAP_WSDL makes of the WSDLs: one line per generated method
//     pear.php lifecycle WAY     the life cycle of a customer, as the other programs here
//     pear.php values WAY        how results arrive: their PHP types, lists of none, one and many, nulls, faults
//
// WAY is `generated` (classes of generateAllProxies()), `raw` (requests as CDRTool writes them: its header without
// namespace, nulls without xsi:nil) or `wsdl` (SOAP_Client on the WSDL of a port).
// The directory with SOAP/Client.php is NGN_PEAR_DIR; PEAR.php comes from the system, or from there too.

// The library is older than the warnings of today's PHP.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING & ~E_STRICT);
set_include_path(getenv('NGN_PEAR_DIR') . PATH_SEPARATOR . get_include_path());
require 'SOAP/Client.php';

const TYPES = 'urn:AGProjects:NGNPro';
const PORTS = ['Sip', 'Voicemail', 'Enum', 'Dns', 'Rating', 'Customer', 'Network'];

/** A refusal; the code is the errorcode in the fault's detail. */
class Refused extends Exception
{
}

/** Writes requests as CDRTool does: its subclass of SOAP_Client leaves xsi:nil out, and numbers keep PHP's type. */
class RawClient extends SOAP_Client
{
    function _serializeValue(&$value, $name = '', $type = false, $elNamespace = null, $typeNamespace = null,
                             $options = [], $attributes = [], $artype = '')
    {
        $xml = parent::_serializeValue(
            $value, $name, $type, $elNamespace, $typeNamespace, $options, $attributes, $artype);
        return str_replace(' xsi:nil="true"', '', $xml);
    }
}

function described(string $query): SOAP_WSDL
{
    $wsdl = new SOAP_WSDL(getenv('NGN_URL') . $query);
    if (PEAR::isError($wsdl->fault)) {
        fwrite(STDERR, "$query: {$wsdl->fault->getMessage()}\n");
        exit(1);
    }
    return $wsdl;
}

/** The generated classes, once each. Constructors by class name, which they have, do not exist in PHP 8. */
function generate(string $base): void
{
    $code = described('wsdl')->generateAllProxies();
    $code = preg_replace('/function WebService_\w+\(/', 'function __construct(', $code);
    $code = str_replace('$this->SOAP_Client(', 'parent::__construct(', $code);
    eval(str_replace('extends SOAP_Client', "extends $base", $code));
}

/** One port under one login. Operations are called with named parameters; refusals are thrown. */
class Port
{
    private $client;

    function __construct(private string $name, private string $way, private array $auth)
    {
        if ($way === 'wsdl') {
            $this->client = new SOAP_Client(getenv('NGN_URL') . "?wsdl&port=$name", true);
        } else {
            $class = "WebService_NGNPro_{$name}Port";
            $this->client = new $class(getenv('NGN_URL'));
        }
        $this->client->setOpt('timeout', 60);
    }

    function __call(string $operation, array $parameters)
    {
        // The library forgets the headers after each call.
        $this->client->addHeader(match ($this->way) {
            // As CDRTool has them: name, value, namespace, mustUnderstand, actor.
            'raw' => ['auth', $this->auth, TYPES, 0, ''],
            default => new SOAP_Header('{' . TYPES . '}auth', 'Struct', $this->auth, 1),
        });
        $result = $this->way === 'wsdl'
            ? $this->client->call($operation, $parameters)
            : call_user_func_array([$this->client, $operation], $parameters);
        if (PEAR::isError($result)) {
            $exception = $result->getUserInfo()->exception ?? null;
            if (!is_int($exception->errorcode ?? null) || !is_string($exception->errorstring ?? null)) {
                fwrite(STDERR, "no exception in the detail of: {$result->getMessage()}\n");
                exit(1);
            }
            throw new Refused("{$result->getMessage()} ($exception->errorstring)", $exception->errorcode);
        }
        return $result;
    }
}

/** All ports under one login. */
class Ngn
{
    private array $ports = [];

    function __construct(private string $way, private string $user, private string $password, private array $more)
    {
    }

    function __get(string $port): Port
    {
        $auth = ['username' => $this->user, 'password' => $this->password] + $this->more;
        return $this->ports[$port] ??= new Port(ucfirst($port), $this->way, $auth);
    }
}

function fault(callable $work): void
{
    try {
        $work();
        echo "no fault\n";
    } catch (Refused $fault) {
        echo "fault {$fault->getCode()}\n";
    }
}

$way = $argv[2] ?? '';
if (in_array($way, ['generated', 'raw'], true)) {
    generate($way === 'raw' ? 'RawClient' : 'SOAP_Client');
}
$admin = new Ngn($way, 'admin', getenv('NGN_PASSWORD'), ['admin' => true, 'impersonate' => 0]);
require __DIR__ . "/pear/$argv[1].php";
