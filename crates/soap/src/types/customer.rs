//! Customers and resellers (contract C6).

use crate::table::types;

types! {
    /// A setting of a customer.
    struct CustomerProperty {
        /// Its name.
        name: string,
        /// Its value.
        value: string,
        /// What it is about: credit, sip, dns, web, billing and the like.
        category: string,
        /// Who may change it: `admin`, `reseller`, else the customer.
        permission: string,
    }

    /// A customer or reseller.
    struct CustomerAccount {
        /// Its identifier.
        id: integer,
        /// Its reseller; its own identifier when it is one.
        reseller: integer,
        /// The customer whose records it may manage.
        impersonate: integer,
        /// Login name.
        username: string,
        /// Password.
        password: string secret,
        /// First name.
        first_name "firstName": string,
        /// Last name.
        last_name "lastName": string,
        /// Organization.
        organization: string,
        /// VAT number.
        vat_number "vatNumber": string,
        /// E-mail address.
        email: string,
        /// Web address.
        web: string,
        /// Telephone number.
        tel: string,
        /// Fax number.
        fax: string,
        /// Mobile number.
        mobile: string,
        /// SIP address.
        sip: string,
        /// ENUM number.
        r#enum "enum": string,
        /// Street address.
        address: string,
        /// Postal code.
        postcode: string,
        /// City.
        city: string,
        /// State or province.
        state: string,
        /// Country.
        country: string,
        /// Time zone by its name in the tz database.
        timezone: string,
        /// Language.
        language: string,
        /// Bank account.
        bank_account "bankAccount": string,
        /// Billing address.
        billing_address "billingAddress": string,
        /// Billing e-mail address.
        billing_email "billingEmail": string,
        /// Balance.
        balance: double,
        /// Credit.
        credit: double,
        /// Company code.
        company_code "companyCode": string,
        /// Whether it may act as a reseller.
        reseller_active "resellerActive": boolean,
        /// Last change, `YYYY-MM-DD hh:mm:ss`.
        change_date "changeDate": string ro,
        /// Settings.
        properties: [CustomerProperty],
    }

    /// Customers and how many there are.
    struct CustomerAccounts {
        /// This page.
        accounts: [CustomerAccount],
        /// The matches on all pages.
        total: int,
    }
}
