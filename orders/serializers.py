"""The shape of what the shop's API takes. No database here."""

from typing import Any

from rest_framework import serializers

MAX_ITEMS = 50


class CartItemSerializer(serializers.Serializer[Any]):
    default_error_messages = {"invalid": "This must be an object that names a mix."}

    mix = serializers.SlugField(max_length=60)


class PlaceOrderSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(
        child=CartItemSerializer(),
        min_length=1,
        max_length=MAX_ITEMS,
        error_messages={"not_a_list": "This must be a list of mixes."},
    )
    order = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=64,
        help_text="The token of the order that this browser placed last: for the same cart it is answered again",
    )
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)


class MixSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    title = serializers.CharField()
    price_kes = serializers.IntegerField()
    minutes = serializers.IntegerField()
    cover = serializers.CharField()
    preview = serializers.CharField(allow_null=True)


class MixesAnswerSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    mixes = MixSerializer(many=True)
    total_kes = serializers.IntegerField()


class OrderedSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    price_kes = serializers.IntegerField()


class PlacedOrderSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    accountReference = serializers.CharField(help_text="The order's code, for the push")  # noqa: N815
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    items = OrderedSerializer(many=True)
    checkoutUrl = serializers.CharField()  # noqa: N815
