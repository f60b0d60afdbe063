<?php
// Every method of every class that the generator makes of the whole WSDL, and of the WSDL of each port.

function methods(string $query): void
{
    $code = described($query)->generateAllProxies();
    preg_match_all('/^class (\w+) extends SOAP_Client\n\{\n(.*?)^\}$/ms', $code, $classes, PREG_SET_ORDER);
    foreach ($classes as [, $class, $body]) {
        preg_match("/\\\$path = '([^']*)'/", $body, $path);
        echo "$query $class at $path[1]\n";
        preg_match_all('/^    function &(\w+)\((.*?)\)\n    \{\n(.*?)^    \}$/ms', $body, $functions, PREG_SET_ORDER);
        foreach ($functions as [, $name, $parameters, $work]) {
            // The parameters as they are declared, wrapped in a type, and sent.
            preg_match_all('/\$(\w+)/', $parameters, $declared);
            preg_match_all("/new SOAP_Value\\('(\\w+)', '([^']*)', \\$\\1\\)/", $work, $wrapped);
            preg_match("/call\\('(\\w+)',\\s*\\\$v = (null|array\\((.*?)\\)),$/m", $work, $call);
            preg_match_all("/'(\\w+)' => \\$\\1/", $call[3] ?? '', $sent);
            preg_match("/array\\('namespace' => '(.*?)',\\s*'soapaction' => '(.*?)',\\s*'style' => '(.*?)',\\s*'use' => '(.*?)'\\)/", $work, $as);
            if ($call[1] !== $name || $sent[1] !== $declared[1]) {
                fwrite(STDERR, "$class::$name sends something else than its parameters\n");
                exit(1);
            }
            $types = array_combine($wrapped[1], $wrapped[2]);
            $list = array_map(fn ($p) => trim("$p " . ($types[$p] ?? '')), $declared[1]);
            echo "$query $class $name(" . implode(', ', $list) . ") $as[1] '$as[2]' $as[3] $as[4]\n";
        }
    }
}

methods('wsdl');
foreach (PORTS as $port) {
    methods("?wsdl&port=$port");
}
