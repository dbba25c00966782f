import streamlit as st

from seqdemo.ui.attention import attention, attributions

st.title("Where does a Transformer look?", anchor=False)
text = attention.render()

st.header("How far and how widely does each head look?", anchor=False, divider="gray")
attention.heads(text)

st.header("What kind of Transformer is this?", anchor=False, divider="gray")
attention.about()

st.header("Does it matter?", anchor=False, divider="gray")
attributions.render(text)
