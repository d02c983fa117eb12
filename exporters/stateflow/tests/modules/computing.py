"""StateFlow takes each function of an entity's file for a method, so this one stands elsewhere."""


def compute(seed):
    return str(seed)
