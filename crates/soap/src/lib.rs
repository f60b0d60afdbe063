//! SOAP 1.1 rpc codec, the API's types and operations, WSDL; pure.
