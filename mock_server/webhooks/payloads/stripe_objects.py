"""Stripe's Subscription and Invoice, with all members that Stripe's own library has for them and that mean anything here."""

from __future__ import annotations

from typing import Any

from mock_server.engine.instants import DAY, SECOND

from .parts import letters, number
from .subject import Subject

STATUSES = {"pending": "incomplete", "active": "active", "past_due": "past_due", "canceled": "canceled"}


def subscription(about: Subject) -> dict[str, Any]:
    begins, ends, sub = about.begins // SECOND, about.ends // SECOND, _subscription_id(about)
    is_over = about.status == "canceled"
    return {
        "id": sub,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": begins,
        "billing_cycle_anchor_config": None,
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": begins if is_over else None,
        "cancellation_details": {
            "comment": None,
            "feedback": None,
            "reason": "cancellation_requested" if is_over else None,
        },
        "collection_method": "charge_automatically",
        "created": begins,
        "currency": about.currency,
        "customer": _customer(about),
        "days_until_due": None,
        "default_payment_method": f"pm_1{letters('pm/' + about.seed, 23)}",
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": begins if is_over else None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": _list([_item(about, sub, begins, ends)], f"/v1/subscription_items?subscription={sub}"),
        "latest_invoice": f"in_1{letters('latest/' + sub, 23)}",
        "livemode": False,
        "metadata": about.metadata,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": begins,
        "status": STATUSES[about.status],
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def invoice(about: Subject) -> dict[str, Any]:
    begins, ends = about.begins // SECOND, about.ends // SECOND
    sub, total = _subscription_id(about), about.amount
    paid, invoice_id = total if about.is_paid else 0, _invoice_id(about)
    return {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Mock",
        "account_tax_ids": None,
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": not about.is_paid,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": begins,
        "currency": about.currency,
        "custom_fields": None,
        "customer": _customer(about),
        "customer_address": None,
        "customer_email": None,
        "customer_name": about.org_name or None,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": begins,
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_mock/{invoice_id}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/acct_mock/{invoice_id}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": _list([_line(about, invoice_id, begins, ends)], f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": about.metadata,
        "next_payment_attempt": None if about.is_paid else begins + 3 * DAY // SECOND,
        "number": f"MOCK-{number(about.invoice_id, 8)}",
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": about.metadata, "subscription": sub},
            "type": "subscription_details",
        },
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": begins,
        "period_start": begins,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "paid" if about.is_paid else "open",
        "status_transitions": {
            "finalized_at": begins,
            "marked_uncollectible_at": None,
            "paid_at": begins if about.is_paid else None,
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": begins,
    }


def _item(about: Subject, sub: str, begins: int, ends: int) -> dict[str, Any]:
    return {
        "id": _item_id(sub),
        "object": "subscription_item",
        "created": begins,
        "current_period_end": ends,
        "current_period_start": begins,
        "discounts": [],
        "metadata": {},
        "plan": {
            "id": _price_id(about),
            "object": "plan",
            "active": True,
            "amount": about.amount,
            "amount_decimal": str(about.amount),
            "billing_scheme": "per_unit",
            "created": begins,
            "currency": about.currency,
            "interval": "month",
            "interval_count": 1,
            "livemode": False,
            "metadata": {},
            "meter": None,
            "nickname": about.tier_slug or None,
            "product": _product_id(about),
            "tiers_mode": None,
            "transform_usage": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "price": {
            "id": _price_id(about),
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "created": begins,
            "currency": about.currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": about.tier_slug or None,
            "metadata": {},
            "nickname": about.tier_slug or None,
            "product": _product_id(about),
            "recurring": {
                "interval": "month",
                "interval_count": 1,
                "meter": None,
                "trial_period_days": None,
                "usage_type": "licensed",
            },
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring",
            "unit_amount": about.amount,
            "unit_amount_decimal": str(about.amount),
        },
        "quantity": 1,
        "subscription": sub,
        "tax_rates": [],
    }


def _line(about: Subject, invoice_id: str, begins: int, ends: int) -> dict[str, Any]:
    sub = _subscription_id(about)
    return {
        "id": f"il_1{letters('line/' + invoice_id, 23)}",
        "object": "line_item",
        "amount": about.amount,
        "currency": about.currency,
        "description": f"1 × {about.tier_slug or 'subscription'}",  # noqa: RUF001 - as Stripe writes it
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": about.metadata,
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": sub,
                "subscription_item": _item_id(sub),
            },
            "type": "subscription_item_details",
        },
        "period": {"end": ends, "start": begins},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": _price_id(about), "product": _product_id(about)},
            "type": "price_details",
            "unit_amount_decimal": str(about.amount),
        },
        "quantity": 1,
        "subtotal": about.amount,
        "taxes": [],
    }


def _list(entries: list[dict[str, Any]], url: str) -> dict[str, Any]:
    return {"object": "list", "data": entries, "has_more": False, "total_count": len(entries), "url": url}


def _subscription_id(about: Subject) -> str:
    return about.external_id or f"sub_1{letters('sub/' + about.seed, 23)}"


def _invoice_id(about: Subject) -> str:
    named = about.invoice_id
    return named if named.startswith("in_") else f"in_1{letters('invoice/' + named, 23)}"


def _customer(about: Subject) -> str:
    return f"cus_{letters('customer/' + about.seed, 14)}"


def _item_id(sub: str) -> str:
    return f"si_{letters('item/' + sub, 14)}"


def _price_id(about: Subject) -> str:
    return about.price_id or f"price_1{letters('price/' + about.tier_slug, 23)}"


def _product_id(about: Subject) -> str:
    return f"prod_{letters('product/' + about.tier_slug, 14)}"
