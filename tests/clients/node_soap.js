// The life cycle of a customer by node-soap: document/literal, values typed by the WSDL.
'use strict';

const soap = require(process.env.NODE_SOAP);

const { NGN_URL: url, NGN_PASSWORD: password, NGN_NAME: name, NGN_PREFIX: prefix } = process.env;
const domain = `${name}.example.com`;
const zone = `${name}.example.org`;
const credits = ['sip_credit', 'sip_alias_credit', 'enum_range_credit', 'enum_number_credit', 'dns_zone_credit'];

// One client per port: of two operations with one name node-soap reads the answer by the type of only one.
async function login(username, password, admin) {
    const port = async (port) => {
        const client = await soap.createClientAsync(`${url}wsdl?style=literal&port=${port}`, { disableCache: true });
        client.addSoapHeader({ auth: { username, password, admin } }, '', 'ngn', 'urn:AGProjects:NGNPro');
        return async (operation, parameters) => (await client[`${operation}Async`](parameters))[0]?.return;
    };
    return { sip: await port('Sip'), enum: await port('Enum'), dns: await port('Dns'), customer: await port('Customer') };
}

// A list, which is null or undefined when it has no items.
const items = (list) => list?.item ?? [];

async function fault(promise) {
    try {
        await promise;
        console.log('no fault');
    } catch (error) {
        console.log('fault', error.root.Envelope.Body.Fault.detail.exception.errorcode);
    }
}

async function lifecycle() {
    const admin = await login('admin', password, true);
    const property = (name) => ({ name, value: '100', category: 'credit', permission: 'admin' });
    const customer = await admin.customer('addAccount', {
        account: {
            username: name,
            password: `${name}-password`,
            firstName: 'Ada',
            lastName: 'Example',
            email: `ada@${domain}`,
            resellerActive: true,
            properties: { item: credits.map(property) },
        },
    });
    console.log('customer', customer.username, customer.resellerActive === true, items(customer.properties).length);

    const ngn = await login(name, `${name}-password`, false);
    await ngn.sip('addDomain', { domain: { domain } });
    const person = (username) => ({
        account: {
            id: { username, domain },
            password: `${username}-password`,
            firstName: username.charAt(0).toUpperCase() + username.slice(1),
            lastName: 'Ørsted & <Zoë>',
            email: `${username}@${domain}`,
            groups: { item: ['blocked'] },
            quota: 20,
        },
    });
    for (const username of ['alice', 'bob']) {
        const added = await ngn.sip('addAccount', person(username));
        console.log('account', added.id.username, added.lastName);
    }
    const alice = { username: 'alice', domain };
    const office = { username: 'office', domain };
    const alias = await ngn.sip('addAlias', { alias: { id: office, target: alice } });
    console.log('alias', alias.id.username, alias.target.username);

    const rangeId = { prefix, tld: 'e164.arpa' };
    const number = { number: `${prefix}567`, tld: 'e164.arpa' };
    const range = await ngn.enum('addRange', { range: { id: rangeId, size: 1000 } });
    console.log('range', range.id.prefix, range.size);
    const mapping = { type: 'sip', mapto: `sip:alice@${domain}` };
    const added = await ngn.enum('addNumber', { number: { id: number, mappings: { item: [mapping] } } });
    console.log('number', added.id.number, items(added.mappings).length, items(added.mappings)[0].mapto);

    const nameservers = { item: ['ns1.example.net', 'ns2.example.net'] };
    const made = await ngn.dns('addZone', { zone: { name: zone, nameservers } });
    console.log('zone', made.name, ...items(made.nameservers));
    const record = await ngn.dns('addRecord', {
        record: { zone, name: `www.${zone}`, type: 'A', value: '192.0.2.1' },
    });
    console.log('record', record.name, record.type, record.value);

    const orderBy = { attribute: 'username', direction: 'ASC' };
    const page = await ngn.sip('getAccounts', {
        query: { filter: { domain }, orderBy, range: { start: 1, count: 1 } },
    });
    for (const account of items(page.accounts)) {
        console.log('listed', account.id.username, 'of', page.total);
    }
    const none = await ngn.sip('getAccounts', { query: { filter: { username: 'nobody', domain } } });
    console.log('none', items(none.accounts).length, 'of', none.total);

    let account = await ngn.sip('getAccount', { sipId: alice });
    account.quota += 5;
    account.firstName = 'Alicia';
    await ngn.sip('updateAccount', { account });
    account = await ngn.sip('getAccount', { sipId: alice });
    console.log('updated', account.firstName, account.quota, ...items(account.groups));

    await fault(ngn.sip('addAccount', person('alice')));
    await fault(ngn.customer('getAccount', { id: Number(customer.id) + 1000 }));

    await ngn.dns('deleteRecord', { recordId: record.id });
    await ngn.dns('deleteZone', { zone });
    await ngn.enum('deleteNumber', { enumId: number });
    await ngn.enum('deleteRange', { range: rangeId });
    await ngn.sip('deleteAlias', { id: office });
    await ngn.sip('deleteAccount', { sipId: alice });
    await fault(ngn.sip('getAccount', { sipId: alice }));
    await ngn.sip('deleteAccount', { sipId: { username: 'bob', domain } });
    await ngn.sip('deleteDomain', { domain });
    await admin.customer('deleteAccount', { id: customer.id });
    await fault(ngn.sip('getAccounts', { query: {} }));
}

lifecycle().catch((error) => {
    console.error(error.message);
    process.exit(1);
});
