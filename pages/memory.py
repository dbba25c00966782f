import streamlit as st

from seqdemo.ui.memory import causes, distance, edits, gradients, words
from seqdemo.ui.shared import review_box

text = review_box.text(gradients.DEFAULT.text)
edits.take(text)
st.title(gradients.title(), anchor=False)
st.markdown(
    "How much of a word a model can still use may depend on how far back it stands. Here that is measured on the "
    "trained weights, all five models on one scale."
)
gradients.render(text)

st.header("How many neutral words until an opinion is lost?", anchor=False, divider="gray")
words.render()

st.header("What hangs on one word?", anchor=False, divider="gray")
edits.render(text)

st.header("Why", anchor=False, divider="gray")
st.markdown("**The matrix between two words.** Whatever an RNN remembers is multiplied by W_hh once a word.")
causes.spectrum()
st.markdown(
    "Pascanu, Mikolov and Bengio (2013) prove for a plain RNN with tanh: where the largest singular value of W_hh is "
    "below 1, the gradient must vanish with distance, and it can only explode where that value is above 1. They do not "
    "prove the reverse, that a value of 1 or more keeps a memory or makes gradients explode, since tanh shrinks them "
    "as well; and of models with gates, whose gates stand in the product, W_hh alone says nothing."
)
st.markdown("**The gates.** An LSTM and a GRU multiply their memory by a gate at each word instead.")
causes.gates()

distance.render()
