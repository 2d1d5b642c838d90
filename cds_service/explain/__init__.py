"""Why a hook is answered as it is, or with silence: order by order, fact by fact."""
