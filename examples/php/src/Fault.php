<?php

declare(strict_types=1);

namespace Ngnpro;

/**
 * What the server refused: nothing was changed.
 *
 * getCode() says what happened, and is what a program looks at (1011: the SIP account exists; 1010: it does not; 8000: unknown
 * login); getMessage() says it in words, with what to do about it. 0 is a fault of SOAP itself, such as a parameter that
 * does not fit the WSDL.
 */
final class Fault extends \RuntimeException
{
}
