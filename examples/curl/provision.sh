#!/bin/sh
# Provisions a customer over SOAP with nothing but curl and xmllint. See examples/README.md for the environment.
#
# The envelopes carry no types, so the replies carry none either (document/literal).
set -eu
url=${NGN_URL:-http://127.0.0.1:9200/}
user=${NGN_USER:-admin}
password=${NGN_PASSWORD:-}
name=${NGN_NAME:-example}
prefix=${NGN_PREFIX:-31201234}
domain=$name.example.com

# call PORT OPERATION PARAMETERS: prints the reply; a fault is told on standard error and ends the script.
call() {
    reply=$(curl -sS -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: ""' --data-binary @- "$url" <<XML
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ngn="urn:AGProjects:NGNPro">
  <soap:Header>
    <ngn:auth><username>$user</username><password>$password</password><admin>true</admin></ngn:auth>
  </soap:Header>
  <soap:Body><port:$2 xmlns:port="urn:AGProjects:NGNPro:$1">$3</port:$2></soap:Body>
</soap:Envelope>
XML
    )
    code=$(value //errorcode)
    if [ -n "$code" ]; then
        echo "refused: $code $(value //errorstring)" >&2
        exit 1
    fi
}

# value XPATH: the text there in the last reply; prefixes do not matter to the paths used here.
value() { printf '%s' "$reply" | xmllint --xpath "string($1)" -; }

# pstn_access is the right to call telephone numbers, which the group free-pstn of an account needs.
call Customer addAccount "<account><username>$name</username><password>$name-web-password</password>
    <firstName>Ada</firstName><lastName>Example</lastName><email>ada@$domain</email>
    <properties><item><name>pstn_access</name><value>1</value><category>sip</category><permission>admin</permission></item>
    </properties></account>"
customer=$(value //return/id)
reseller=$(value //return/reseller)
echo "customer $(value //return/username)"

call Sip addDomain "<domain><domain>$domain</domain><customer>$customer</customer><reseller>$reseller</reseller></domain>"
for username in alice bob; do
    first=$(printf '%s' "$username" | cut -c1 | tr a-z A-Z)$(printf '%s' "$username" | cut -c2-)
    call Sip addAccount "<account><id><username>$username</username><domain>$domain</domain></id>
        <password>$username-sip-password</password><firstName>$first</firstName><lastName>Example</lastName>
        <email>$username@$domain</email><groups><item>free-pstn</item></groups></account>"
    echo "account $(value //return/id/username)@$(value //return/id/domain)"
done

call Enum addRange "<range><id><prefix>$prefix</prefix><tld>e164.arpa</tld></id><minDigits>11</minDigits>
    <maxDigits>11</maxDigits><size>1000</size><customer>$customer</customer><reseller>$reseller</reseller></range>"
call Enum addNumber "<number><id><number>${prefix}567</number><tld>e164.arpa</tld></id>
    <mappings><item><type>sip</type><mapto>sip:alice@$domain</mapto></item></mappings></number>"
echo "number $(value //return/id/number)"

# Everything that belongs to the customer, in the shape of all list operations.
call Sip getAccounts "<query><filter><domain>$domain</domain></filter>
    <orderBy><attribute>username</attribute><direction>ASC</direction></orderBy>
    <range><start>0</start><count>20</count></range></query>"
position=1
while [ -n "$(value "//accounts/item[$position]/id/username")" ]; do
    item="//accounts/item[$position]"
    echo "listed $(value "$item/id/username")@$(value "$item/id/domain") $(value "$item/firstName") $(value "$item/lastName")"
    position=$((position + 1))
done
echo "total $(value //return/total)"

call Enum getNumbers "<query><filter><number>$prefix%</number></filter></query>"
echo "listed +$(value //numbers/item/id/number) $(value //mappings/item/type) $(value //mappings/item/mapto)"
