from __future__ import annotations

import pytest
from conformance import StoreConformance

from fxloom.stores.memory import MemoryStore


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
